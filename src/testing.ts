/** `starling-node/testing`: real nodes in one process, for other people's tests. */
export {
  type TestFlock,
  type TestFlockOptions,
  type TestNodeOptions,
  startTestFlock,
} from "./node/testing/test-flock.ts";
