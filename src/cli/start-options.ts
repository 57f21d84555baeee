/** What `starling start` was told, as a node's options; and for `--dry-run`, as lines to read. */
import type { Command } from "commander";
import type { RunId } from "../core/index.ts";
import type {
  DashboardOptions,
  Hours,
  LogLevel,
  Manifest,
  NodeOptions,
  ServedOptions,
} from "../node/index.ts";
import type { ListenAddress } from "./arguments.ts";
import { CHEAT_VARIABLE, cheatOf } from "./cheat.ts";

export interface StartArguments {
  readonly run: string;
  /** Out of an address. */
  readonly settled?: NodeOptions["settled"];
  readonly data: string;
  readonly listen: string[];
  readonly announce: string[];
  readonly bootstrap: string[];
  readonly networkKey?: string;
  readonly relay: boolean;
  readonly viaRelay?: true;
  readonly upnp: boolean;
  readonly role: "train" | "serve";
  readonly engine: NonNullable<NodeOptions["engine"]>;
  readonly device?: string;
  readonly devices?: "all" | number[];
  readonly mixedPrecision: boolean;
  readonly threads: number;
  readonly microBatch?: number;
  /** Bytes. */
  readonly gpuMemoryMax?: number;
  readonly recompute: boolean;
  readonly dht: boolean;
  readonly mdns: boolean;
  readonly local: boolean;
  readonly unlisted: boolean;
  /** True: at the usual place; false: nowhere. */
  readonly dashboard: boolean | ListenAddress;
  readonly dashboardName: string[];
  readonly when: "always" | "idle";
  readonly hours?: Hours;
  /** Bytes a second, and bytes a month. */
  readonly maxUpload?: number;
  readonly maxDownload?: number;
  readonly monthlyTraffic?: number;
  /** Bytes. */
  readonly diskMax?: number;
  readonly archive: boolean;
  readonly priority: "low" | "normal";
  readonly dryRun: boolean;
  readonly exitWhenFinished: boolean;
  readonly logLevel: LogLevel;
}

/** Only this machine can see it. A second node on the machine takes any free port. The port: Guess, nobody's. */
const DASHBOARD_DEFAULT = { host: "127.0.0.1", port: 4780, otherPort: true };

export function servedOptions(given: StartArguments, run: Manifest | RunId): ServedOptions {
  const { data, announce, bootstrap, engine, device, devices, mixedPrecision, threads } = given;
  const { dht, mdns, local } = given;
  const cheat = cheatOf(process.env[CHEAT_VARIABLE], given);
  return {
    dataDir: data,
    run,
    settled: given.settled,
    // Give `--listen` a fixed port to be reachable behind a router.
    ...(given.listen.length > 0 && { listen: given.listen }),
    announce,
    bootstrap,
    role: given.role,
    engine,
    ...(device === undefined ? {} : { device }),
    ...(devices === undefined ? {} : { devices }),
    mixedPrecision,
    threads,
    gpuMemoryMax: given.gpuMemoryMax ?? null,
    memory: memoryOf(given),
    dht,
    mdns,
    localAddresses: local,
    ...(given.unlisted && { listed: false }),
    ...(cheat && { cheat }),
    // Without the switch the node decides by the kind of its addresses.
    reach: {
      relay: given.relay,
      ...(given.viaRelay && { viaRelay: true }),
      ...(given.upnp ? {} : { upnp: false }),
    },
    use: {
      hours: given.hours ?? null,
      onlyWhenIdle: given.when === "idle",
      monthlyBytesMax: given.monthlyTraffic ?? null,
    },
    diskMax: given.diskMax ?? null,
    archive: given.archive,
    line: { uploadMax: given.maxUpload ?? null, downloadMax: given.maxDownload ?? null },
    dashboard: dashboardOptions(given),
  };
}

/** What the user fixed of how training saves memory; the rest is found. */
export function memoryOf({
  microBatch,
  recompute,
}: Pick<StartArguments, "microBatch" | "recompute">): NonNullable<NodeOptions["memory"]> {
  return {
    ...(recompute && { recomputesLayers: true }),
    ...(microBatch !== undefined && { microSequences: microBatch }),
  };
}

function dashboardOptions({ dashboard, dashboardName }: StartArguments): DashboardOptions | null {
  if (dashboard === false) return null;
  if (dashboard === true) return { ...DASHBOARD_DEFAULT, names: dashboardName };
  return { ...dashboard, otherPort: false, names: dashboardName };
}

const SOURCES: Readonly<Record<string, string>> = {
  cli: "command line",
  env: "environment",
  config: "settings file",
  default: "default",
};

/** One line per option: its value, and where it comes from. */
export function describeSettings(command: Command): string {
  const attributes = [...new Set(command.options.map((option) => option.attributeName()))];
  const lines = attributes.map((attribute) => {
    const value: unknown = command.getOptionValue(attribute);
    const source = command.getOptionValueSource(attribute) ?? "default";
    return `${attribute.padEnd(18)}${shown(value).padEnd(28)}  ${SOURCES[source] ?? source}\n`;
  });
  return lines.join("");
}

function shown(value: unknown): string {
  if (value === undefined) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}
