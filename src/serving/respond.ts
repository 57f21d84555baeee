/** A text as an HTTP answer: all at once, or as server-sent events while it is written. */
import type { AnswerHead, Answers } from "./answers.ts";
import { refusalBody } from "./refusal.ts";
import type { Text } from "./texts.ts";

export interface ResponseParts {
  readonly answers: Answers;
  readonly head: AnswerHead;
}

export async function whole(text: Text, { answers, head }: ResponseParts): Promise<Response> {
  const parts = text.parts();
  let said = "";
  for (;;) {
    const part = await parts.next();
    if (part.done === true) return Response.json(answers.whole(head, { text: said, ...part.value }));
    said += part.value;
  }
}

/**
 * A client that leaves ends the text. One that reads slowly does not hold up the others: what is written waits for it
 * here, at most a context of it.
 */
export function streamed(
  text: Text,
  { wantsUsage, ...parts }: ResponseParts & { wantsUsage: boolean },
): Response {
  const events = eventsOf(text, { ...parts, wantsUsage });
  let isWanted = true;
  const body = new ReadableStream<Uint8Array>({
    start: async (controller) => {
      for await (const event of events) {
        if (!isWanted) return;
        controller.enqueue(Buffer.from(event));
      }
      if (isWanted) controller.close();
    },
    cancel: () => {
      isWanted = false;
    },
  });
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      // Proxies that buffer would hold the words back.
      "x-accel-buffering": "no",
    },
  });
}

async function* eventsOf(
  text: Text,
  { answers, head, wantsUsage }: ResponseParts & { wantsUsage: boolean },
): AsyncGenerator<string, void> {
  const opening = answers.opening(head);
  if (opening !== undefined) yield eventOf(opening);
  const parts = text.parts();
  try {
    for (;;) {
      const part = await parts.next();
      if (part.done === true) {
        const { finish, counts } = part.value;
        yield eventOf(answers.closing(head, finish));
        if (wantsUsage) yield eventOf(answers.counts(head, counts));
        break;
      }
      yield eventOf(answers.chunk(head, part.value));
    }
    yield "data: [DONE]\n\n";
  } catch {
    // Decides: the answer has begun, so its status can't say it any more; the client is told in its own words.
    yield eventOf(refusalBody({ status: 500, code: "broken_off", message: "the text was broken off" }));
  } finally {
    await text.abandon();
  }
}

function eventOf(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}
