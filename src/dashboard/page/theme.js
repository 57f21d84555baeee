/** Light or dark: as the system has it, or as this person wants it here. */
import { repaint } from "./charts.js";
import { byId } from "./dom.js";

const KEY = "starling.theme";
const ORDER = ["system", "light", "dark"];
const WORDS = { system: "as the system has them", light: "light", dark: "dark" };

const button = byId("theme");

function wanted() {
  const stored = localStorage.getItem(KEY) ?? "system";
  return /** @type {keyof typeof WORDS} */ (ORDER.includes(stored) ? stored : "system");
}

function apply() {
  const theme = wanted();
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  button.setAttribute("aria-label", `Colours: ${WORDS[theme]}`);
  button.title = `Colours: ${WORDS[theme]}`;
  repaint();
}

export function startTheme() {
  apply();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, ORDER[(ORDER.indexOf(wanted()) + 1) % ORDER.length] ?? "system");
    apply();
  });
}
