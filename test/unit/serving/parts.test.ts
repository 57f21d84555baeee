/** N5: the parts of the server that need no model. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeyRing, parseKeys } from "../../../src/serving/keys.ts";
import { StopText } from "../../../src/serving/stop-text.ts";
import { Turns } from "../../../src/serving/turns.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 40 });

test("N5: a stop word ends the text where it begins, however the text is cut into parts", () => {
  const stops = fc.array(fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 4 }), {
    maxLength: 3,
  });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 12 }), stops, (parts, given) => {
      const stopText = new StopText(given);
      let said = "";
      let stopped = false;
      for (const part of parts) {
        const pushed = stopText.push(part);
        said += pushed.text;
        stopped = pushed.stopped;
        if (stopped) break;
      }
      if (!stopped) said += stopText.end();
      const all = parts.join("");
      const ends = given.map((stop) => all.indexOf(stop)).filter((at) => at >= 0);
      // The first stop that is complete wins; one that begins earlier and is longer may be complete only later.
      expect(stopped).toBe(ends.length > 0);
      expect(all.startsWith(said)).toBe(true);
      if (ends.length === 0) expect(said).toBe(all);
      else expect(given.some((stop) => all.startsWith(stop, said.length))).toBe(true);
    }),
  );
});

test("N5: nothing of a stop word is let out, and what only looked like one is not lost", () => {
  const stopText = new StopText(["END"]);
  expect(stopText.push("the E")).toEqual({ text: "the ", stopped: false });
  expect(stopText.push("N")).toEqual({ text: "", stopped: false });
  expect(stopText.push("tEN")).toEqual({ text: "ENt", stopped: false });
  expect(stopText.push("D of it")).toEqual({ text: "", stopped: true });
});

test("N5: turns are taken in order, never more than at once; the line is bounded and can be left", async () => {
  const clock = new ManualClock();
  const turns = new Turns({ atOnce: 1, queueMax: 2 }, clock);
  const never = new AbortController().signal;
  const first = await turns.take(never);
  const leaving = new AbortController();
  const second = turns.take(leaving.signal);
  const third = turns.take(never);
  expect(await turns.take(never)).toMatchObject({ kind: "ignore", code: "QUEUE_FULL" });
  expect([turns.writing, turns.waiting]).toEqual([1, 2]);
  leaving.abort(new Error("gone"));
  if (first.kind === "accept") first.value();
  await expect(second).rejects.toThrow("gone");
  const last = await third;
  expect([turns.writing, turns.waiting]).toEqual([1, 0]);
  if (last.kind === "accept") last.value();
  await turns.idle();
});

test("N5: who is turned away hears a time that grows with the line and the length of a turn, up to a minute", async () => {
  const clock = new ManualClock();
  const never = new AbortController().signal;
  const turns = new Turns({ atOnce: 1, queueMax: 100 }, clock);
  for (let i = 0; i < 30; i++) {
    const turn = await turns.take(never);
    await clock.advance(1000);
    if (turn.kind === "accept") turn.value();
    await turns.idle();
  }
  await turns.take(never);
  expect(turns.retryAfterSeconds()).toBe(2);
  for (let i = 0; i < 100; i++) void turns.take(never);
  expect(turns.retryAfterSeconds()).toBe(60);
});

test("N5: keys are read from lines of a name and a key, and what is wrong is said without the key", () => {
  const file = "# ours\n\nann  0123456789abcdef\nbob fedcba9876543210\n";
  const ring = new KeyRing(parseKeys(file, "keys.txt"));
  expect(ring.nameOf("Bearer fedcba9876543210")).toBe("bob");
  expect(ring.nameOf("bearer 0123456789abcdef")).toBe("ann");
  for (const wrong of [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    "Basic 0123456789abcdef",
    "Bearer 0123456789abcde",
  ])
    expect(ring.nameOf(wrong)).toBeUndefined();
  const secret = "s3cret-s3cret-s3cret";
  for (const lines of [secret, `a b ${secret}`, `bad/name ${secret}`])
    expect(() => parseKeys(lines, "keys.txt")).toThrow(
      expect.objectContaining({ code: "SERVE_KEYS_INVALID", message: expect.not.stringContaining(secret) }),
    );
  expect(() => new KeyRing([{ name: "ann", key: "short" }])).toThrow(/16 characters/);
  expect(
    () =>
      new KeyRing([
        { name: "ann", key: secret },
        { name: "ann", key: `${secret}2` },
      ]),
  ).toThrow(/once/);
});
