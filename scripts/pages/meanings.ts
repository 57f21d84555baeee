/** What each error code means and what helps, once for all places that throw it. A test compares them with the sources. */
export const MEANINGS: Readonly<Record<string, string>> = {
  ADDRESS_INVALID:
    "What was given to `join` is not an address that `starling address` prints, or a part of it is missing.",
  ADDRESS_OTHER_HISTORY:
    "The peers' history does not contain the settled state that the run's address names. Ask for a new address.",
  BLOCK_NOT_FOUND:
    "Nobody who was asked had a piece of data under this hash in time. A node tries again by itself.",
  BOOTSTRAP_INVALID:
    "A `--bootstrap` address is no multiaddr that ends in `/p2p/PEER-ID`. Copy one that `start` prints.",
  CHAT_TEMPLATE_INVALID:
    "The chat template is not Jinja that the library can read. Give another with `serve --chat-template`.",
  CHECKPOINT_INVALID:
    "A model folder's `config.json` or weights are damaged or of a kind this version cannot compute.",
  CHECKPOINT_MISSING: "Nothing to export yet: no round has settled. Let the node run.",
  CONTROL_BAD_JSON: "A program sent the running node something that is not JSON.",
  CONTROL_BAD_REQUEST: "A program sent the running node a request with missing or wrong fields.",
  CONTROL_BODY_TOO_LARGE: "A program sent the running node a request that is too long.",
  CONTROL_FAILED: "The running node did not answer, or broke off. Its log says why.",
  CONTROL_UNKNOWN_ROUTE:
    "The running node does not know this request: it may be of another version. Restart it.",
  CONTROL_UNREACHABLE: "The running node's socket cannot be opened; another user may run it.",
  CREDITS_NONE: "The run's manifest has no credit rule, so its work earns none.",
  CREDITS_NOT_SETTLED: "`--rounds` asks for more rounds than have settled. Wait, or ask for fewer.",
  CREDITS_UNPAYABLE:
    "No author with credits has a payout address. See `starling payout set` and `--payouts`.",
  DASHBOARD_LISTEN_FAILED:
    "The dashboard's address is taken or not this machine's. Choose another with `--dashboard`.",
  DATA_DIR_DAMAGED:
    "A file of the data folder does not hold what it should. The message says which, and what to do.",
  DATA_DIR_EMPTY: "The data folder belongs to no run yet: no node has started on it.",
  DATA_DIR_IN_USE: "Another process uses the data folder. Stop it, or give this node a folder of its own.",
  DATA_DIR_MISSING: "There is no data folder at this path. Name it with `--data`.",
  DATA_DIR_NEWER: "A newer version made the data folder. Update this one, or use another folder.",
  DATA_DIR_OTHER_RUN: "The data folder belongs to another run. Each run needs a folder of its own.",
  DATA_DIR_UNWRITABLE: "This user cannot write the data folder. Change its owner or rights.",
  DATA_INVALID:
    "Text, a shard or a record of data is not of the form that is expected. The message says what and where.",
  DATA_TOO_SHORT: "There are fewer tokens than one context of the model needs. Give more text.",
  DELTA_MISSING: "A delta that has to be folded is not at hand.",
  DEVICE_INVALID:
    "`--device` or `--devices` does not fit the engine: indices for cuda and directml, a Vulkan driver's file for webgpu.",
  DISK_FULL: "The disk is full. Free some space; a node waits and goes on.",
  DISK_READ_FAILED: "A file could not be read. Check its rights and the disk.",
  DISK_WRITE_FAILED: "A file could not be written. Check its rights and the disk.",
  ENGINE_UNAVAILABLE:
    "The engine is not on this machine or did not start. Choose another with `--engine`, or `auto`.",
  FILE_EXISTS: "A file that was to be new is there already. Name another.",
  FILE_NOT_FOUND: "A file that is needed is not there.",
  GENERATE_BUSY: "The node writes as many texts as it can at once. Wait until one has ended.",
  HISTORY_PARTIAL:
    "This node joined late and does not hold the first rounds, so it cannot count over all of them. Ask one that does.",
  KEY_EXISTS: "The data folder has an identity already. Import the key into a new folder.",
  KEY_INVALID:
    "The node's key file is damaged. Put back a copy, or remove it to take part under a new identity.",
  KEY_MISSING: "The data folder has no key yet: `starling start` makes one.",
  LEARNER_STOPPED: "The trainer's thread ended on its own. The message and the log say why.",
  LISTEN_FAILED:
    "The node cannot listen at this address: another process has the port, or the address is not this machine's.",
  MANIFEST_INVALID: "The manifest is not one that this version accepts. The message names each field.",
  MANIFEST_MISSING: "The data folder does not have the run's manifest yet: the node has not joined so far.",
  MANIFEST_UNREADABLE: "The manifest's file is not there or not JSON. `starling init` writes one.",
  MEMORY_TOO_SMALL:
    "Training the run's model needs more memory than is free. The message says what would fit, if anything does.",
  MESSAGE_TOO_LARGE: "A message is too large for gossip.",
  MICRO_BATCH_INVALID: "`--micro-batch` does not divide the run's batch. The message lists what does.",
  MODEL_UNREADABLE: "There is no model at this path: a folder with `config.json` and `model.safetensors`.",
  NETWORK_KEY_INVALID: "The file is no network key of a closed run.",
  NETWORK_KEY_MISSING: "The run is closed: start with `--network-key FILE`.",
  NETWORK_KEY_UNREADABLE: "The network key's file cannot be read.",
  NETWORK_KEY_WRONG: "The network key is not that of this run.",
  NOT_READY: "The running node is still fetching the run. Try again.",
  NOT_RUNNING: "No node runs on this data folder. Name it with `--data`, or start one.",
  PAYOUTS_TOO_MANY: "More payout records than are read at once.",
  PAYOUTS_UNREADABLE: "There is no payout record, or folder of them, at this path.",
  PAYOUT_DAMAGED: "The node's own payout record is damaged. Put back a copy, or remove it.",
  PAYOUT_MISSING: "The node has no payout address yet: `starling payout set 0x…`.",
  PAYOUT_STALE: "`--sequence` is not above that of the record at hand, so the new one would not count.",
  PHASE_UNKNOWN: "The manifest has no phase of this number.",
  PRECISION_INVALID: "`--mixed-precision` is not for this engine.",
  PROPOSAL_UNFIT:
    "A proposed successor can't go on from this run: its first phase must have the model of the phase that the run is in, and its start must be null.",
  PROPOSAL_UNKNOWN:
    "There is no proposal for this run under that name, or nobody who has it is reached. See `starling proposals`.",
  PRESET_UNKNOWN: "There is no preset of this name. The message lists them.",
  RUNS_NO_ENTRY: "`starling runs` has no node to begin at. Give `--bootstrap`, or the address of a run.",
  RUNS_UNLISTED:
    "The running node is unlisted, or of a closed or local run, so it sees no others. Give `--bootstrap`.",
  SAFETENSORS_INVALID: "A safetensors file is damaged or not of the form that is expected. Fetch it again.",
  SERVE_KEYS_INVALID:
    "A line of the file of API keys is not a name and a key of at least 16 characters, or a name comes twice.",
  SERVE_LISTEN_FAILED:
    "`serve` cannot listen at its address: it is taken or not this machine's. Choose another with `--listen`.",
  SERVE_NEEDS_KEYS:
    "`serve` listens for other machines only with API keys. Give `--keys`, or listen on 127.0.0.1.",
  START_INVALID: "The run's start weights have another size than its model.",
  SYNC_FAILED: "A peer did not give the headers that were asked for. A node asks another one by itself.",
  TEXT_EMPTY: "There is no text in the file or folder.",
  TEXT_UNREADABLE: "There is no file or folder of text at this path, or it cannot be read.",
  TOKENIZER_INVALID: "The tokenizer.json is none that can be read.",
  TOKENIZER_UNREADABLE: "The model's folder has no tokenizer.json that can be read.",
  TOPIC_UNKNOWN: "A topic is not of this run.",
  TOP_NO_NODE: "Nothing at this address answers as a node's dashboard does.",
  TOP_TOO_MANY: "More nodes than `starling top` watches at once.",
  TRAINING_DIVERGED:
    "Losses were not finite for many steps: the run's model has diverged. The message says what to do.",
  USAGE_UNREADABLE: "The file of what each API key has used is damaged. Put back a copy, or move it away.",
  WEIGHTS_SIZE: "Weights have another size than the model.",
  WRITER_STOPPED:
    "The thread that writes texts for `serve` ended on its own. The message and the log say why.",
};
