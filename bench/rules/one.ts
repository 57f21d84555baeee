/** One row in a process of its own, so that rows can go side by side: settings as JSON in, row as JSON out. */
import { measure } from "./measure.ts";
import type { Settings } from "./settings.ts";

const [settings, commit] = process.argv.slice(2) as [string, string];
process.stdout.write(JSON.stringify(await measure(JSON.parse(settings) as Settings, commit)));
