/** Reports and scenarios as tables for people. */
import Table from "cli-table3";
import type { Report } from "./report.ts";
import type { Scenario } from "./scenario.ts";

const COLUMNS = ["scenario", "peers", "settled", "roots", "stalled", "included", "messages", "MB", "s", ""];

export function tableOf(reports: readonly Report[]): string {
  const table = new Table({ head: COLUMNS, style: { head: [], border: [] } });
  for (const report of reports) table.push(rowOf(report));
  const failures = reports.flatMap(({ scenario, failures: all }) =>
    all.map((why) => `${scenario}: ${why}\n`),
  );
  return `${table.toString()}\n${failures.join("")}`;
}

function rowOf(r: Report): string[] {
  return [
    r.scenario,
    String(r.peersCount),
    String(r.settledRoundsMin),
    r.rootsEqual ? "equal" : "DIFFER",
    String(r.stalledRoundsMax),
    r.honestIncludedShare.toFixed(3),
    String(r.messages),
    (r.bytes / 1e6).toFixed(1),
    r.wallSeconds.toFixed(1),
    r.failures.length === 0 ? "holds" : "FAILS",
  ];
}

export function listOf(scenarios: readonly Scenario[]): string {
  const table = new Table({ head: ["scenario", "what happens"], style: { head: [], border: [] } });
  for (const { name, about } of scenarios) table.push([name, about]);
  return `${table.toString()}\n`;
}
