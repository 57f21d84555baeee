/**
 * Whether a machine lacks what a test needs (root, another tool): then the test is skipped with a word about it. In CI,
 * which installs what it can and where nobody reads such a word, it fails instead.
 */
export function lacks(isHere: boolean, what: string): boolean {
  if (isHere) return false;
  const message = `not here: ${what}. What needs it is NOT tried.`;
  if (process.env["CI"] === "true") throw new Error(message);
  process.stderr.write(`\n${message}\n\n`);
  return true;
}
