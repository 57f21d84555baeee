/** All generated pages, by file name. */
import { renderCommands } from "./commands.ts";
import { renderErrors } from "./errors.ts";
import { renderMetrics } from "./metrics.ts";
import { renderSettings } from "./settings.ts";

export async function renderPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["commands.md", renderCommands()],
    ["settings.md", renderSettings()],
    ["metrics.md", renderMetrics()],
    ["error-codes.md", await renderErrors()],
  ]);
}
