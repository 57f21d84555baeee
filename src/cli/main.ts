#!/usr/bin/env node
/** The process: the only file that reads argv and decides the exit code. */
import { enableCompileCache } from "node:module";
import { CommanderError } from "commander";
import { EXIT_USAGE, reportFailure } from "./failure.ts";
import { createProgram } from "./program.ts";

// Halves the time that a command takes to load (measured: 0.70 s of CPU to 0.35 s).
enableCompileCache();

// What nobody caught ends the process with a code that says whose fault it was.
process.on("uncaughtException", (error) => process.exit(reportFailure(error)));
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // `starling status | head` closes the pipe early: nobody wants the rest.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

try {
  await createProgram().parseAsync();
} catch (error) {
  // Commander has already printed its own; help and version end here too, with exit code 0.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT_USAGE;
  else process.exitCode = reportFailure(error);
}
