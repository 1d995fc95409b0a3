/** What is to be done once the promises of this tick that are settled by now have been heard: one microtask for all of it. */
let tasks: (() => void)[] = [];
/** Its reactions are microtasks, too, but no resources of `async_hooks` as those of queueMicrotask are, which cost more than most tasks. */
const settled = Promise.resolve();

function runTasks(): void {
  const now = tasks;
  tasks = [];
  for (const task of now) {
    try {
      task();
    } catch (error) {
      // What is wrong with one must not keep the others from running.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

/** Runs `task` in a microtask, with all that is handed over before that; in the order of the calls. */
export function atEndOfTick(task: () => void): void {
  if (tasks.push(task) === 1) void settled.then(runTasks);
}
