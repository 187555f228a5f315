import { Type } from 'typebox';

/** RFC 9457, with the words that mend it. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'A name for the kind of problem; about:blank when the status says it all' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.Optional(Type.String({ description: 'What was attempted and what was wrong with which value' })),
    hint: Type.Optional(Type.String({ description: 'What is allowed, or how to recover' })),
    instance: Type.Optional(Type.String({ description: 'The path that was asked for' })),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          parameter: Type.String({ description: 'The query parameter, path part or body field' }),
          in: Type.String({ description: 'query, path, header or body' }),
          reason: Type.String({ description: 'What is allowed' }),
        }),
      ),
    ),
    reasons: Type.Optional(Type.Array(Type.String(), { description: 'Why the gateway is not ready' })),
  },
  { description: 'RFC 9457 problem details' },
);

/** The answer of `GET /healthz`. */
export const HealthReply = Type.Object({ status: Type.Literal('ok') });
/** The answer of `GET /readyz` where it is ready; otherwise it is a `Problem` with the reasons. */
export const ReadyReply = Type.Object({ status: Type.Literal('ready') });
