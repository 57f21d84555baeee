/** What every node takes, however it comes to its run. */
import { type Command, Option } from "commander";
import { byteCount, deviceList, hours, listenAddress, multiaddrs, paths } from "../arguments.ts";
import { ENGINES, addMemoryOptions, dataOption, threadsOption } from "./options.ts";

export function addNodeOptions(command: Command): Command {
  addNetworkOptions(command.addOption(dataOption()).optionsGroup("Network:"));
  addTrainingOptions(command.optionsGroup("Training:"));
  addSharingOptions(command.optionsGroup("What it may take of this machine, and when:"));
  addWatchingOptions(command.optionsGroup("Dashboard and log:"));
  return command.optionsGroup("Options:");
}

function addNetworkOptions(command: Command): void {
  command
    .option("--listen <address>", "listen here; may be repeated", multiaddrs, [])
    .option("--announce <address>", "tell others to dial this instead; may be repeated", multiaddrs, [])
    .option("--bootstrap <address>", "dial this node first; may be repeated", multiaddrs, [])
    .option("--local", "accept private and loopback addresses as nodes of the run", false)
    .option("--unlisted", "do not tell strangers of the run (starling runs)", false)
    .option("--no-dht", "do not use the distributed hash table to find nodes")
    .option("--no-mdns", "do not look for nodes on the local network")
    .option("--no-upnp", "do not ask the router for a port")
    .option("--no-relay", "do not carry connections of nodes that cannot be reached")
    .option("--via-relay", "be reached through nodes that relay; without --local and --announce the default")
    .option("--network-key <file>", "of a closed run; the folder keeps a copy, so once is enough");
}

function addTrainingOptions(command: Command): void {
  command
    .addOption(
      new Option("--role <role>", "train, or only hold and give others what the run has, with little memory")
        .choices(["train", "serve"])
        .default("train"),
    )
    .addOption(new Option("--engine <name>", "what trains").choices(ENGINES).default("auto"))
    .option("--device <device>", "cuda, directml: the GPU's index; webgpu on Linux: a Vulkan driver's file")
    .addOption(
      new Option(
        "--devices <list>",
        "several at once, one contribution of them all: all, or indices such as 0,1",
      )
        .argParser(deviceList)
        .conflicts("device"),
    )
    .option(
      "--mixed-precision",
      "matrix products in float16: webgpu, cuda, directml, coreml; never run",
      false,
    )
    .addOption(threadsOption("CPU threads that train"));
  addMemoryOptions(command)
    .option(
      "--gpu-memory-max <bytes>",
      "of each GPU, such as 6GB: smaller micro-batches and recomputation where the estimate is above it",
      byteCount,
    )
    .option(
      "--exit-when-finished",
      "stop when the run has ended instead of serving those who still need it",
      false,
    );
}

function addSharingOptions(command: Command): void {
  command
    .addOption(
      new Option("--when <state>", "train always, or only while others leave the processor alone")
        .choices(["always", "idle"])
        .default("always"),
    )
    .option("--hours <from-until>", "train only at these hours of the day, such as 22-7", hours)
    .addOption(
      new Option("--priority <level>", "give way to everything else on this machine, or not")
        .choices(["low", "normal"])
        .default("low"),
    )
    .option("--max-upload <bytes>", "send blocks no faster than so many bytes a second", byteCount)
    .option("--max-download <bytes>", "fetch blocks no faster than so many bytes a second", byteCount)
    .option("--monthly-traffic <bytes>", "pause when so much was sent and received this month", byteCount)
    .option(
      "--disk-max <bytes>",
      "what the data folder may take; shards that were used long ago go first and come again when needed",
      byteCount,
    )
    .option("--archive", "keep the bodies of all rounds, not of the last 64 settled ones alone", false);
}

function addWatchingOptions(command: Command): void {
  command
    .addOption(
      new Option("--dashboard [address]", "where the dashboard is: host:port, or a port of this machine")
        .default(true, "127.0.0.1:4780, or any free port")
        .argParser(listenAddress),
    )
    .option("--no-dashboard", "show no dashboard")
    .option(
      "--dashboard-name <host>",
      "a name besides localhost that the dashboard may be asked under; may be repeated",
      paths,
      [],
    )
    .addOption(
      new Option("--log-level <level>", "least important line to log")
        .choices(["trace", "debug", "info", "warn", "error", "silent"])
        .default("info"),
    )
    .option("--config <file>", "read options from this YAML file, such as: log-level: warn")
    .option(
      "--dry-run",
      "print every setting and where it comes from, check them, and change nothing",
      false,
    );
}
