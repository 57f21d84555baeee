/**
 * The contract for the code that drives TensorFlow's native library, on kernels in JavaScript, which need no
 * installation. Apart from engines.test.ts, because a process has one TensorFlow.js.
 */
import * as tf from "@tensorflow/tfjs";
import { TfjsEngine } from "../../src/trainer/engine/tfjs/tfjs-engine.ts";
import { optimizer, withInitialWeights } from "../support/trainer/models.ts";
import { contractModel, contractSequences, engineContract } from "./engine-contract.ts";

const options = { model: contractModel, sequences: contractSequences, optimizer };

engineContract("tfjs, on TensorFlow.js's kernels in JavaScript", () =>
  withInitialWeights(new TfjsEngine(tf, options)),
);
