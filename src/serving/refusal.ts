/** What a client is told when it gets no text: OpenAI's shape of an error, so that its libraries raise the right one. */

export interface Refusal {
  readonly status: 400 | 401 | 403 | 404 | 413 | 429 | 500 | 503;
  readonly code: string;
  readonly message: string;
  /** The field at fault. */
  readonly param?: string;
  readonly retryAfterSeconds?: number;
}

const TYPES: Readonly<Record<Refusal["status"], string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  403: "permission_error",
  404: "invalid_request_error",
  413: "invalid_request_error",
  429: "rate_limit_error",
  500: "server_error",
  503: "server_error",
};

export function refusalBody({ status, code, message, param }: Refusal): object {
  return { error: { message, type: TYPES[status], param: param ?? null, code } };
}

export function refuse(refusal: Refusal): Response {
  const { status, retryAfterSeconds } = refusal;
  const headers = {
    ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
    // The rest of the body is not read, so nothing else can come over this connection.
    ...(status === 413 && { connection: "close" }),
  };
  return Response.json(refusalBody(refusal), { status, headers });
}
