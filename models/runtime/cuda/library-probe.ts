/**
 * A process that says which shared libraries the dynamic loader finds, with all that they need. Arguments: their names.
 * Prints one JSON object, name to true or to what the loader says. A process of its own because loading runs their code.
 */
const found = Object.fromEntries(
  process.argv.slice(2).map((name) => {
    try {
      process.dlopen({ exports: {} }, name);
      return [name, true];
    } catch (error) {
      const { message } = error as Error;
      // Loaded, and no module of Node: all that was asked.
      return [name, message.includes('did not self-register') || message];
    }
  }),
);
process.stdout.write(JSON.stringify(found));
