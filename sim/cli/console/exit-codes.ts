/** What the process tells its caller. An interrupted run ends with 128 and the number of the signal, as shells have it. */
export const EXIT = {
  /** Every verdict is the expected one. */
  asExpected: 0,
  /** Some verdict is not the expected one. */
  notAsExpected: 1,
  /** The command line, a scenario or the folder for results is wrong, or nothing can run here. */
  badInput: 2,
  /** Something could not be judged, or is missing here, and nothing is worse. */
  unknown: 3,
  /** A defect of distrilock itself (EX_SOFTWARE of sysexits.h). */
  defect: 70,
  SIGINT: 130,
  SIGTERM: 143,
} as const;
