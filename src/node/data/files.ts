/** The files of a path that people name: opened, unpacked, streamed. */
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { StarlingError, messageOf } from "../../core/index.ts";
import { type DataFile, type DocumentPart, documentsOf } from "../../trainer/index.ts";

export interface FileProgress {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

interface Listed {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
}

/**
 * The documents of a file, or of all files of a folder in the order of their names.
 * @throws StarlingError `TEXT_UNREADABLE`, `DATA_INVALID`
 */
export async function* documentsAt(
  path: string,
  o: { field: string; onProgress?: ((progress: FileProgress) => void) | undefined },
): AsyncGenerator<DocumentPart> {
  const files = await listFiles(path);
  const bytesTotal = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytesDone = 0;
  for (const file of files) {
    const progress = (bytes: number): void => o.onProgress?.({ bytesDone: bytesDone + bytes, bytesTotal });
    yield* documentsOf(opened(file, progress), o.field);
    bytesDone += file.bytes;
    progress(0);
  }
}

async function listFiles(path: string): Promise<Listed[]> {
  try {
    const { isDirectory, paths } = await pathsOf(path);
    return await Promise.all(
      paths.map(async (file) => ({
        path: file,
        name: isDirectory ? relative(path, file) : file,
        bytes: (await stat(file)).size,
      })),
    );
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function pathsOf(path: string): Promise<{ isDirectory: boolean; paths: string[] }> {
  if (!(await stat(path)).isDirectory()) return { isDirectory: false, paths: [path] };
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return { isDirectory: true, paths: files.map((entry) => join(entry.parentPath, entry.name)).sort() };
}

function opened({ path, name, bytes }: Listed, onRead: (bytes: number) => void): DataFile {
  const isPacked = /\.(gz|zst)$/i.test(name);
  return {
    name,
    stream: () => unpacked(path, onRead),
    ...(!isPacked && { random: randomAccess(path, bytes, onRead) }),
  };
}

async function* unpacked(path: string, onRead: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path);
  const unpack = unpackerOf(path);
  const stream = unpack === undefined ? file : file.pipe(unpack);
  // `pipe` does not pass errors on.
  file.on("error", (error) => stream.destroy(error));
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      onRead(file.bytesRead);
      yield chunk;
    }
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    file.destroy();
  }
}

function unpackerOf(path: string): ReturnType<typeof createGunzip | typeof createZstdDecompress> | undefined {
  if (/\.gz$/i.test(path)) return createGunzip();
  return /\.zst$/i.test(path) ? createZstdDecompress() : undefined;
}

function randomAccess(
  path: string,
  byteLength: number,
  onRead: (bytes: number) => void,
): NonNullable<DataFile["random"]> {
  return {
    byteLength,
    async slice(start, end = byteLength) {
      const handle = await open(path, "r");
      try {
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(end - start), 0, end - start, start);
        onRead(start);
        return buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + bytesRead);
      } finally {
        await handle.close();
      }
    },
  };
}

/** Translated: says which path it was. */
function unreadable(path: string, cause: unknown): StarlingError {
  if (cause instanceof StarlingError) return cause;
  const message = `expected a file or folder of text at ${path}: ${messageOf(cause)}`;
  return new StarlingError("TEXT_UNREADABLE", message, { cause });
}
