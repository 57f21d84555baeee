/** Other commands end when nobody reads on (`starling status | head`); a node or a server has more to do than to print. */
export function outliveReader(): void {
  process.stdout.removeAllListeners("error").on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
