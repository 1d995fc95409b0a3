import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20',
  tsconfig: 'tsconfig.src.json',
  dts: true,
  // `index.js` and `index.d.ts` are ES modules because the package says so; CommonJS has `.cjs` and `.d.cts`.
  fixedExtension: false,
});
