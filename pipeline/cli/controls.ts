/** Flags that steer the command line itself and are no part of a run's options. */
export type ControlFlag = {
  /** As commander declares it. */
  readonly flags: string;
  readonly description: string;
  readonly repeatable?: boolean;
};

export const controlFlags: Readonly<Record<string, ControlFlag>> = {
  config: { flags: '-c, --config <FILE>', description: 'Read options from a YAML file; flags win over it' },
  set: { flags: '--set <NAME=VALUE>', description: 'Set any option by name; may be repeated', repeatable: true },
  reference: { flags: '--reference', description: 'Everything as published; short for --preset reference' },
  dryRun: { flags: '--dry-run', description: 'Print the plan and stop, as pantomime plan does' },
  json: { flags: '--json', description: 'Progress and results as JSON Lines on stdout' },
  quiet: { flags: '-q, --quiet', description: 'Only warnings and errors' },
  verbose: { flags: '-v, --verbose', description: 'More detail, and where in the program an error came from' },
};

/** What the control flags of a command line were. */
export type Controls = {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly reference?: boolean;
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
};
