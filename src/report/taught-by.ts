/** Whom the distilled student learnt from and its twin did not: a teacher, or a peer, another student that learnt at the same time. */
export type TaughtBy = 'teacher' | 'peer';

/** `recipe`: as a report has it. */
export function taughtBy({ recipe }: { readonly recipe?: Readonly<Record<string, unknown>> | undefined }): TaughtBy {
  const { loss } = (recipe?.['distill'] ?? {}) as { readonly loss?: unknown };
  return loss === 'mutual' ? 'peer' : 'teacher';
}
