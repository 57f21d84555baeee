import { describe, expect, test } from "vitest";
import { createMetrics } from "../../../src/dashboard/index.ts";
import { ChangingSource, aSnapshot } from "../../support/snapshot.ts";

interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: string[];
}

/** The text format of Prometheus, by metric. */
function families(text: string): Map<string, Family> {
  const found = new Map<string, Family>();
  let help = "";
  let name = "";
  for (const line of text.split("\n")) {
    const helpLine = /^# HELP (\S+) (.*)$/.exec(line);
    const typeLine = /^# TYPE (\S+) (\w+)$/.exec(line);
    if (helpLine) help = helpLine[2] ?? "";
    else if (typeLine) found.set((name = typeLine[1] ?? ""), { type: typeLine[2] ?? "", help, samples: [] });
    else if (line !== "") found.get(name)?.samples.push(line);
  }
  return found;
}

async function read(source: ChangingSource): Promise<Map<string, Family>> {
  return families(await createMetrics().text(source.snapshot()));
}

describe("N4 /metrics", () => {
  test("names and units are by Prometheus' conventions", async () => {
    const metrics = createMetrics();
    metrics.observeStage("training", 4000);
    const ours = [...families(await metrics.text(aSnapshot()))].filter(([name]) =>
      name.startsWith("starling_"),
    );
    expect(ours.length).toBeGreaterThan(20);
    for (const [name, { type, help, samples }] of ours) {
      expect(name).toMatch(/^starling_[a-z0-9]+(_[a-z0-9]+)*$/);
      // Base units only: seconds, bytes, ratios.
      expect(name).not.toMatch(/_(ms|milliseconds|kb|mb|percent|minutes)(_|$)/);
      expect(name.endsWith("_total"), name).toBe(type === "counter");
      expect(help, name).toMatch(/\.$/);
      expect(samples.length, name).toBeGreaterThan(0);
    }
  });

  test("say what the snapshot says, in base units", async () => {
    const found = await read(new ChangingSource());
    const value = (name: string): string | undefined => found.get(`starling_${name}`)?.samples[0];
    expect(value("round")).toBe("starling_round 12");
    expect(value("settled_rounds")).toBe("starling_settled_rounds 4");
    expect(value("included_tokens")).toBe("starling_included_tokens 3000");
    expect(value("peers")).toBe("starling_peers 1");
    expect(value("voting_weight_ratio")).toBe("starling_voting_weight_ratio 0.5");
    expect(value("event_loop_delay_p99_seconds")).toBe("starling_event_loop_delay_p99_seconds 0.0115");
    expect(value("network_receive_bytes_total")).toBe("starling_network_receive_bytes_total 12345678");
    expect(value("node_info")).toContain('run_name="whale"');
    expect(value("node_state")).toBe('starling_node_state{state="training"} 1');
  });

  test("a state that has ended, and a value that is not known, are gone", async () => {
    const source = new ChangingSource();
    const metrics = createMetrics();
    await metrics.text(source.snapshot());
    const { node, loss } = aSnapshot();
    source.set(
      aSnapshot({
        node: { ...node, state: "paused", pausedWhy: "by hand" },
        loss: { ...loss, trainingNats: null },
      }),
    );
    const found = families(await metrics.text(source.snapshot()));
    expect(found.get("starling_node_state")?.samples).toEqual(['starling_node_state{state="paused"} 1']);
    expect(found.get("starling_paused")?.samples).toEqual(["starling_paused 1"]);
    expect(found.get("starling_training_loss_nats")?.samples).toEqual([]);
  });

  test("two nodes in one process do not mix theirs", async () => {
    const [one, other] = [new ChangingSource(), new ChangingSource(aSnapshot({ round: 3 }))];
    expect((await read(one)).get("starling_round")?.samples).toEqual(["starling_round 12"]);
    expect((await read(other)).get("starling_round")?.samples).toEqual(["starling_round 3"]);
  });

  test("stages of rounds are counted in seconds", async () => {
    const metrics = createMetrics();
    metrics.observeStage("training", 4000);
    const found = families(await metrics.text(aSnapshot()));
    expect(found.get("starling_round_stage_seconds")?.samples).toContain(
      'starling_round_stage_seconds_sum{stage="training"} 4',
    );
  });
});
