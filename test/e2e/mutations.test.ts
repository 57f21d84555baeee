/**
 * Five deliberate breaks of what all nodes must compute alike, each in a copy of the source outside the repository:
 * a fast test that names the rule must fail on each, and pass on the copy that was left alone.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { assert } from "../../src/core/index.ts";

interface Break {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Full name of the test that notices. */
  readonly noticedBy: string;
}

const REPOSITORY = resolve(import.meta.dirname, "../..");
const COPIED = [
  "src/core",
  "src/codec",
  "src/consensus",
  "scripts/simulate/run-of.ts",
  "test/support/run-of.ts",
  "test/unit/consensus/support.ts",
];
const TESTS = ["test/unit/consensus/fold.test.ts", "test/unit/consensus/view.test.ts"];
const UNBROKEN = "unbroken";

const breaks: readonly Break[] = [
  {
    name: "a dropped term",
    file: "src/consensus/fold.ts",
    from: "for (const { reader, factor } of terms) {",
    to: "for (const { reader, factor } of terms.slice(0, Math.max(1, terms.length - 1))) {",
    noticedBy: "foldRound() F14: every term counts",
  },
  {
    name: "a tie for the greatest lot",
    file: "src/consensus/lot.ts",
    from: "lot < winner.lot",
    to: "lot > winner.lot",
    noticedBy: "anchor(P) F14: of equal candidates the one with the least lot is the anchor",
  },
  {
    name: "halves rounded up",
    file: "src/consensus/fold.ts",
    from: "roundHalfToEven((sums[i] as number) / UNIT)",
    to: "Math.floor((sums[i] as number) / UNIT + 0.5)",
    noticedBy: "foldRound() F14: rounds exact halves to even, not up",
  },
  {
    name: "the last candidate instead of the least lot",
    file: "src/consensus/lot.ts",
    from: "if (winner === undefined || lot < winner.lot) winner =",
    to: "winner =",
    noticedBy: "anchor(P) F14: where nobody holds two thirds, those that hold the most are drawn from",
  },
  {
    name: "more than half instead of half of the votes",
    file: "src/consensus/view.ts",
    from: "2 * (support[place] as number) >= total",
    to: "2 * (support[place] as number) > total",
    noticedBy:
      "S(R-1) and S(R-2) F14: x cited by exactly half of the weight is included, below half it is not",
  },
];

/** Status of each test by its full name, for each copy. */
let results: Map<string, Map<string, string>>;
let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "starling-mutations-"));
  symlinkSync(join(REPOSITORY, "node_modules"), join(root, "node_modules"));
  writeFileSync(join(root, "package.json"), '{ "type": "module" }');
  copyTo(UNBROKEN);
  breaks.forEach((one, i) => {
    copyTo(`broken-${i}`);
    apply(one, join(root, `broken-${i}`, one.file));
  });
  results = runTests();
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function copyTo(copy: string): void {
  for (const path of [...COPIED, ...TESTS]) {
    const to = join(root, copy, path);
    mkdirSync(join(to, ".."), { recursive: true });
    cpSync(join(REPOSITORY, path), to, { recursive: true });
  }
}

function apply({ name, from, to }: Break, file: string): void {
  const parts = readFileSync(file, "utf8").split(from);
  assert(parts.length === 2, `${name}: expected once in ${file}, got ${parts.length - 1} times: ${from}`);
  writeFileSync(file, parts.join(to));
}

/** All copies in one run of vitest: only the tests of F14. */
function runTests(): Map<string, Map<string, string>> {
  const report = join(root, "report.json");
  const vitest = join(REPOSITORY, "node_modules/vitest/vitest.mjs");
  const options = ["--root", root, "--testNamePattern", "F14", "--reporter", "json", "--outputFile", report];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VITEST")));
  const { stderr } = spawnSync(process.execPath, [vitest, "run", ...options], {
    cwd: root,
    env,
    encoding: "utf8",
  });
  const byCopy = new Map<string, Map<string, string>>();
  for (const { name, assertionResults } of readReport(report, stderr).testResults) {
    const copy = breaks.findIndex((_, i) => name.includes(`/broken-${i}/`));
    const key = copy < 0 ? UNBROKEN : breaks[copy].name;
    const statuses = byCopy.get(key) ?? new Map<string, string>();
    for (const { fullName, status } of assertionResults) statuses.set(fullName, status);
    byCopy.set(key, statuses);
  }
  return byCopy;
}

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

function readReport(path: string, stderr: string): Report {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as Report;
  } catch (error) {
    // Without a report the run itself went wrong: say how.
    throw new Error(`expected vitest to write ${path}: ${stderr}`, { cause: error });
  }
}

test("F14: the copy that was left alone passes", () => {
  const statuses = results.get(UNBROKEN) ?? new Map<string, string>();
  const failed = [...statuses].filter(([, status]) => status === "failed");
  expect(failed).toEqual([]);
  for (const { noticedBy } of breaks) expect(statuses.get(noticedBy)).toBe("passed");
});

test.each(breaks)("F14: $name is noticed by: $noticedBy", ({ name, noticedBy }) => {
  expect(results.get(name)?.get(noticedBy)).toBe("failed");
});
