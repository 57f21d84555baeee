import { describe, expect, test } from "vitest";
import type { Cid, PeerId, RunId } from "../../../../src/core/index.ts";
import { RAW, cidOf } from "../../../../src/core/index.ts";
import { draftManifest } from "../../../../src/node/index.ts";
import { type Manifest, runIdOf } from "../../../../src/node/run/manifest.ts";
import { RUNS_MAX, type Sighting, listRuns, networkOf } from "../../../../src/node/runs/listing.ts";

const data: Cid[] = [cidOf(new TextEncoder().encode("data"), RAW)];
const manifest = draftManifest({ preset: "flight-school" }, { data });
const named = (name: string): Manifest => ({ ...manifest, name });

let keys = 0;
function seen(of: Manifest, host: string, said: Partial<Sighting["presence"]> = {}): Sighting {
  const peer = `12D3KooW${keys++}` as PeerId;
  const run = runIdOf(of) as RunId;
  return {
    presence: { run, peer, phase: 0, round: 5, contributors: 3, ...said },
    manifest: of,
    // Whatever it says of itself, it counts for the network that it answered from.
    addresses: [`/ip4/198.18.${keys % 250}.1/tcp/4001/p2p/${peer}`],
    reachedAt: `/ip4/${host}/tcp/4001/p2p/${peer}`,
  };
}

describe("P7 the list of runs", () => {
  test("has what a joiner wants to know of each", () => {
    const [listing, ...others] = listRuns([
      seen(manifest, "192.0.2.1", { phase: 2 }),
      seen(manifest, "198.51.100.1", { phase: 2, contributors: 4 }),
    ]);
    expect(others).toEqual([]);
    expect(listing).toMatchObject({ name: manifest.name, phase: 2, phasesCount: 7, contributors: 4 });
    expect(listing?.parameters).toBeGreaterThan(80_000);
    expect(listing?.roundTrafficBytes).toBeGreaterThan(0);
    expect(listing?.peers).toHaveLength(2);
  });

  test("is bounded, and 300 made-up runs of one network leave the others their places", () => {
    const flood = Array.from({ length: 300 }, (_, i) =>
      seen(named(`free money ${i}`), `203.0.113.${i % 250}`),
    );
    const honest = ["one", "two", "three"].map((name, i) => seen(named(name), `198.51.${i}.7`));
    const listed = listRuns([...flood, ...honest]);
    expect(listed).toHaveLength(RUNS_MAX);
    expect(listed.map(({ name }) => name)).toEqual(expect.arrayContaining(["one", "two", "three"]));
  });

  test("goes by what most of a run's nodes say", () => {
    const [listing] = listRuns([
      ...Array.from({ length: 3 }, (_, i) => seen(manifest, `192.0.${i}.1`, { phase: 1, contributors: 5 })),
      ...Array.from({ length: 2 }, (_, i) => seen(manifest, `192.1.${i}.1`, { phase: 6, contributors: 60 })),
    ]);
    expect(listing).toMatchObject({ phase: 1, contributors: 5 });
  });
});

test("neighbours of an address are one network", () => {
  expect(networkOf("/ip4/192.0.2.7/tcp/1")).toBe(networkOf("/ip4/192.0.2.200/tcp/9"));
  expect(networkOf("/ip6/2001:db8:1:2::7/tcp/1")).toBe(networkOf("/ip6/2001:db8:1:9::8/tcp/1"));
  expect(networkOf("/ip4/192.0.3.7/tcp/1")).not.toBe(networkOf("/ip4/192.0.2.7/tcp/1"));
  expect(networkOf(undefined)).toBe("");
});
