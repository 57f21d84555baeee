import { systemClock } from "../../../../src/core/index.ts";
import type { Finding } from "../../../../src/node/verify/findings.ts";
import type { VerifyOptions, VerifyReport } from "../../../../src/node/verify/report.ts";
import { verifyHistory } from "../../../../src/node/verify/verify.ts";
import type { Archive } from "../../../../src/storage/index.ts";

export interface Checked {
  readonly report: VerifyReport;
  readonly findings: readonly Finding[];
}

/** `isHasty`: ends at the first finding. */
export async function check(
  source: Archive,
  o: Pick<VerifyOptions, "landmarks" | "fromStart"> & { isHasty?: boolean } = {},
): Promise<Checked> {
  const { isHasty = false, ...rest } = o;
  const stopping = new AbortController();
  const findings: Finding[] = [];
  const report = await verifyHistory({
    ...rest,
    source,
    clock: systemClock,
    signal: stopping.signal,
    onFinding: (finding) => {
      findings.push(finding);
      if (isHasty) stopping.abort();
    },
  });
  return { report, findings };
}
