/**
 * Everything reachable from `roots`, each once, after all that it depends on. Without recursion, since a deep
 * model's graph is deeper than the stack.
 */
export function topologicalOrder<T extends object>(
  roots: readonly T[],
  dependencies: (item: T) => readonly T[],
): T[] {
  const order: T[] = [];
  const seen = new Set<T>();
  const stack: { item: T; rest: T[] }[] = [];
  const enter = (item: T): void => {
    if (seen.has(item)) return;
    seen.add(item);
    stack.push({ item, rest: [...dependencies(item)].reverse() });
  };
  for (const root of roots) {
    enter(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1] as { item: T; rest: T[] };
      const next = top.rest.pop();
      if (next !== undefined) enter(next);
      else {
        order.push(top.item);
        stack.pop();
      }
    }
  }
  return order;
}
