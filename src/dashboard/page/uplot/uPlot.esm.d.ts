/** The browser gets the package's own module at this path (assets.ts). */
import uPlot from "uplot";
export default uPlot;
