/** What the pages are made of, laid out as the formatter wants it, so that it never changes them. */

/** Headline and first words of a page, which say where it comes from. */
export function opening(title: string, text: string): string {
  return `# ${title}\n\n<!-- Made by \`npm run docs\`; change the code instead. -->\n\n${text}\n`;
}

export function code(text: string): string {
  return `\`${text}\``;
}

/** A table; what its cells hold may have a bar in it. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => (row[column] ?? "").length)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const [first = "", ...rest] = cells.map(line);
  return `${first}${line(widths.map((width) => "-".repeat(width)))}${rest.join("")}`;
}
