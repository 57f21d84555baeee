/** The ladder of phases, the first at the bottom, and how far each has come. */
import { byId, h, keep } from "./dom.js";
import { count, percent } from "./format.js";

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {import("../snapshot.ts").PhaseStep} PhaseStep */

const list = byId("phases");

/** @param {Snapshot} snapshot */
export function showPhases({ phases, phase }) {
  keep(
    list,
    phases.map((step) => ({
      step,
      kind: step.phase < phase ? "done" : step.phase > phase ? "ahead" : "current",
    })),
    { key: ({ step }) => String(step.phase), make: () => h("li"), fill: fillStep },
  );
}

/**
 * @param {Element} line
 * @param {{ step: PhaseStep, kind: string }} item
 */
function fillStep(line, { step, kind }) {
  const share = step.tokensDone / step.tokensBudget;
  line.setAttribute("data-step", kind);
  if (kind === "current") line.setAttribute("aria-current", "step");
  else line.removeAttribute("aria-current");
  line.replaceChildren(
    h("b", {}, `Phase ${step.phase}`),
    h("span", {}, `${count(step.parametersCount)} parameters`),
    h("progress", {
      max: String(step.tokensBudget),
      value: String(step.tokensDone),
      "aria-label": `Phase ${step.phase}: ${percent(share)} of its tokens learned`,
    }),
    h("span", {}, `${count(step.tokensDone)} of ${count(step.tokensBudget)} tokens`),
    h("span", {}, percent(share)),
  );
}
