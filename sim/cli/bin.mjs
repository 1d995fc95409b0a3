#!/usr/bin/env node
// The testbed is TypeScript and runs as it is; only the library is built, for it alone is published.
import { register } from 'tsx/esm/api';

// The project's own settings hold, whatever tsconfig.json there is where the user works.
register({ tsconfig: false });
const { main } = await import('./main.ts');
main();
