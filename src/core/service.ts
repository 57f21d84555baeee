/** Something with a lifetime. `stop` may be called at any time and more than once, and awaits all it spawned. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts in order; when one fails, stops those that had started, in reverse, and rethrows. */
export async function startAll(services: readonly Service[]): Promise<void> {
  const started: Service[] = [];
  try {
    for (const service of services) {
      await service.start();
      started.push(service);
    }
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

/** Stops in reverse order, all of them, then throws the first error there was. */
export async function stopAll(services: readonly Pick<Service, "stop">[]): Promise<void> {
  const errors: unknown[] = [];
  for (const service of [...services].reverse()) {
    try {
      await service.stop();
    } catch (error) {
      // The others must still be stopped; the first error is thrown below.
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
