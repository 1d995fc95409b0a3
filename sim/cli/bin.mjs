#!/usr/bin/env node
// The testbed is TypeScript and runs as it is; only the library is built, for it alone is published.

// Loading takes seconds, and a signal that comes before a command can heed it shall not end the program without a word.
const heeded = Object.entries({ SIGINT: 130, SIGTERM: 143 }).map(([name, code]) => {
  const end = () => {
    process.stderr.write(`Interrupted by ${name} while it was starting: nothing was begun\n`);
    process.exit(code);
  };
  process.on(name, end);
  return () => process.off(name, end);
});

const { register } = await import('tsx/esm/api');
// The project's own settings hold, whatever tsconfig.json there is where the user works.
register({ tsconfig: false });
const { main } = await import('./main.ts');
main();
for (const letGo of heeded) letGo();
