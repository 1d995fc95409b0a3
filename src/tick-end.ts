type Task = () => void;

/** What is to be done once the promises of this tick that are settled by now have been heard: one microtask for all of it. */
let tasks: Task[] = [];
let taskCount = 0;
/** The array of the tick before: each is used again, for a new one would have to grow first. */
let spare: Task[] = [];
/** Its reactions are microtasks, too, but no resources of `async_hooks` as those of queueMicrotask are, which cost more than most tasks. */
const settled = Promise.resolve();

function nothing(): void {
  // Stands where a task was, which must not be kept alive.
}

function runTasks(): void {
  const [now, count] = [tasks, taskCount];
  tasks = spare;
  taskCount = 0;
  spare = now;
  for (let place = 0; place < count; place += 1) {
    const task = now[place] as Task;
    now[place] = nothing;
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
export function atEndOfTick(task: Task): void {
  tasks[taskCount] = task;
  taskCount += 1;
  if (taskCount === 1) void settled.then(runTasks);
}
