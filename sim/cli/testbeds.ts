import type { Host } from './console/host.ts';

/** The testbeds that there are. Each is loaded only when it is wanted: most commands run nothing. */
export const TESTBEDS: Host['testbeds'] = {
  simulated: async () => (await import('../testbed/simulated/simulated-testbed.ts')).simulatedTestbed,
  processes: async ({ redisServer }) => {
    const { createProcessesTestbed, createProcessesTestbedWith } =
      await import('../testbed/processes/processes-testbed.ts');
    return redisServer === null ? createProcessesTestbed() : createProcessesTestbedWith(redisServer);
  },
  containers: async () => (await import('../testbed/containers/containers-testbed.ts')).containersTestbed,
};
