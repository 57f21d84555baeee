/**
 * Snapshots as they come. The browser itself asks again when a connection breaks; when it gives up, because the answer was
 * no stream, we do.
 */

/** @typedef {import("../snapshot.ts").Snapshot} Snapshot */
/** @typedef {"connecting" | "live" | "lost"} Link */

const RETRY_MS = 2_000;

/**
 * @param {{ show: (snapshot: Snapshot) => void, link: (link: Link) => void }} to
 */
export function follow({ show, link }) {
  const source = new EventSource("api/events");
  source.addEventListener("snapshot", (event) => {
    link("live");
    show(JSON.parse(event.data));
  });
  source.addEventListener("error", () => {
    link("lost");
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(() => follow({ show, link }), RETRY_MS);
  });
}
