#!/usr/bin/env -S node --max-semi-space-size=4 --heap-growing-percent=20
import { enableCompileCache } from "node:module";

// Before anything of ours is loaded, so that all of it is kept compiled.
enableCompileCache();
await import("../dist/cli/main.js");
