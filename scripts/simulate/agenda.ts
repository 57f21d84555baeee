/**
 * Virtual time in whole milliseconds (rounded up, so that whoever waits for a time finds it come): what is to happen,
 * in order of time and, at one time, in the order it was put down. One list per moment and a heap of moments: a large
 * flock puts down millions of things for few moments.
 */
type Deed = () => void;

export class Agenda {
  nowMs = 0;
  readonly #moments: number[] = [];
  readonly #deeds = new Map<number, Deed[]>();

  in(delayMs: number, deed: Deed): void {
    const atMs = this.nowMs + Math.max(0, Math.ceil(delayMs));
    const deeds = this.#deeds.get(atMs);
    if (deeds !== undefined) {
      deeds.push(deed);
      return;
    }
    this.#deeds.set(atMs, [deed]);
    push(this.#moments, atMs);
  }

  /** Lets all happen that is due at the next moment; false when nothing is left. */
  step(): boolean {
    const atMs = pop(this.#moments);
    if (atMs === undefined) return false;
    this.nowMs = atMs;
    const deeds = this.#deeds.get(atMs) ?? [];
    // What is put down for this same moment on the way is done too.
    for (let i = 0; i < deeds.length; i++) deeds[i]();
    this.#deeds.delete(atMs);
    return true;
  }
}

// A binary heap of numbers, the least first.

function push(heap: number[], value: number): void {
  let at = heap.push(value) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    if (value >= heap[above]) break;
    heap[at] = heap[above];
    at = above;
  }
  heap[at] = value;
}

function pop(heap: number[]): number | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    let below = 2 * at + 1;
    if (below >= heap.length) break;
    if (below + 1 < heap.length && heap[below + 1] < heap[below]) below++;
    if (heap[below] >= last) break;
    heap[at] = heap[below];
    at = below;
  }
  heap[at] = last;
  return first;
}
