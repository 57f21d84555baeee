/**
 * The safetensors format: 8 bytes of header length, a JSON header, the tensors' bytes one after another. Written
 * and read little-endian, as the machines that we run on (https://github.com/huggingface/safetensors, "Format").
 */
import { messageOf, StarlingError } from "../../core/index.ts";
import { z } from "zod";

export type SafetensorsDtype = "F32" | "I32" | "I8";

export interface SafeTensor {
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafeTensor>;
}

const DTYPE_BYTES: Record<SafetensorsDtype, number> = { F32: 4, I32: 4, I8: 1 };
/** The reference implementation's own bound. */
const HEADER_BYTES_MAX = 100_000_000;
/** Tensors start aligned for every dtype. */
const ALIGNMENT_BYTES = 8;

const entrySchema = z.strictObject({
  dtype: z.enum(["F32", "I32", "I8"]),
  shape: z.array(z.number().int().min(0)),
  data_offsets: z.tuple([z.number().int().min(0), z.number().int().min(0)]),
});
const headerSchema = z.record(z.string(), z.unknown());
const metadataSchema = z.record(z.string(), z.string());

export function writeSafetensors({ metadata, tensors }: Safetensors): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [end, (end += bytes.length)] };
  }
  const json = JSON.stringify(header);
  const spaces = -Buffer.byteLength(json) & (ALIGNMENT_BYTES - 1);
  const head = new TextEncoder().encode(json + " ".repeat(spaces));
  const file = new Uint8Array(8 + head.length + end);
  new DataView(file.buffer).setBigUint64(0, BigInt(head.length), true);
  file.set(head, 8);
  let at = 8 + head.length;
  for (const { bytes } of tensors.values()) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/**
 * The tensors as views into `file`.
 * @throws StarlingError `SAFETENSORS_INVALID` unless the tensors fill the file without gap, overlap or surprise.
 */
export function readSafetensors(file: Uint8Array): Safetensors {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const headerBytes = file.length >= 8 ? Number(view.getBigUint64(0, true)) : -1;
  const headerBytesMax = Math.min(HEADER_BYTES_MAX, file.length - 8);
  if (headerBytes < 2 || headerBytes > headerBytesMax) {
    throw invalid(`a header of 2 to ${headerBytesMax} bytes`, `${headerBytes} in a file of ${file.length}`);
  }
  const { __metadata__, ...entries } = parseHeader(file.subarray(8, 8 + headerBytes));
  const body = file.subarray(8 + headerBytes);
  const tensors = new Map<string, SafeTensor>();
  const ranges: [start: number, end: number][] = [];
  for (const [name, value] of Object.entries(entries)) {
    const parsed = entrySchema.safeParse(value);
    if (!parsed.success)
      throw invalid(`dtype, shape, data_offsets of ${name}`, z.prettifyError(parsed.error));
    const { dtype, shape, data_offsets } = parsed.data;
    const [start, end] = data_offsets;
    const lengthBytes = shape.reduce((product, length) => product * length, DTYPE_BYTES[dtype]);
    if (end - start !== lengthBytes || end > body.length) {
      throw invalid(`${lengthBytes} bytes for ${name} within ${body.length}`, `offsets ${start} to ${end}`);
    }
    tensors.set(name, { dtype, shape, bytes: body.subarray(start, end) });
    ranges.push([start, end]);
  }
  let covered = 0;
  for (const [start, end] of ranges.sort(([a, b], [c, d]) => a - c || b - d)) {
    if (start !== covered) throw invalid(`a tensor at offset ${covered}`, `one at ${start}`);
    covered = end;
  }
  if (covered !== body.length)
    throw invalid(`tensors that fill ${body.length} bytes`, `${covered} bytes of them`);
  const metadata = metadataSchema.safeParse(__metadata__ ?? {});
  if (!metadata.success) throw invalid("metadata of texts", z.prettifyError(metadata.error));
  return { metadata: metadata.data, tensors };
}

function parseHeader(bytes: Uint8Array): Record<string, unknown> {
  try {
    return headerSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (error) {
    // Translated: a header that is no UTF-8, no JSON or no object.
    throw invalid("a header that is a JSON object", messageOf(error));
  }
}

function invalid(expected: string, came: string): StarlingError {
  return new StarlingError(
    "SAFETENSORS_INVALID",
    `safetensors: expected ${expected}, got ${came}; fetch the checkpoint again`,
  );
}
