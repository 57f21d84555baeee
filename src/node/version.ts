import manifest from "../../package.json" with { type: "json" };

/** Of the program, not of the protocol. */
export const VERSION: string = manifest.version;
