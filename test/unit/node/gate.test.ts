import { describe, expect, test } from "vitest";
import { Gate } from "../../../src/node/idle/gate.ts";

describe("N2 the gate", () => {
  test("opens when the last reason has gone; the first is the one that is told", async () => {
    const gate = new Gate();
    let told = 0;
    gate.onChange(() => (told += 1));
    gate.close("by hand");
    gate.close("outside its hours");
    gate.close("by hand");
    let opened = false;
    const waiting = gate.opened(new AbortController().signal).then(() => (opened = true));
    expect(gate.why).toBe("by hand");
    gate.open("by hand");
    await new Promise(setImmediate);
    expect([gate.why, opened]).toEqual(["outside its hours", false]);
    gate.set("outside its hours", false);
    await waiting;
    expect([gate.why, told]).toEqual([null, 4]);
    await gate.opened(new AbortController().signal);
  });

  test("who waits while the node stops is told so", async () => {
    const gate = new Gate();
    gate.close("by hand");
    const stopping = new AbortController();
    const waiting = gate.opened(stopping.signal);
    stopping.abort(new Error("the node is stopping"));
    await expect(waiting).rejects.toThrow("the node is stopping");
    await expect(gate.opened(stopping.signal)).rejects.toThrow("the node is stopping");
  });
});
