import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { epochSeconds } from '../../base/clock.ts';
import { UserError } from '../../base/errors.ts';
import { readBytes } from '../../base/files.ts';
import type { Log } from '../../base/log.ts';

export interface Tls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Certificate and key of these PEM files. `UserError` where TLS cannot use them together; a warning where clients will refuse the certificate by its dates. */
export async function readTls(files: { readonly cert: string; readonly key: string }, log: Log): Promise<Tls> {
  const [cert, key] = [Buffer.from(await readBytes(files.cert)), Buffer.from(await readBytes(files.key))];
  try {
    createSecureContext({ cert, key });
    const { validFrom, validTo } = new X509Certificate(cert);
    const now = 1000 * epochSeconds();
    if (now < Date.parse(validFrom) || now > Date.parse(validTo))
      log.write('warn', `${files.cert}: valid from ${validFrom} to ${validTo}, not now: clients will refuse it`);
    return { cert, key };
  } catch (error) {
    throw new UserError(
      `serve: ${files.cert} and ${files.key} are no certificate and key for TLS: ${(error as Error).message.replace(/^error:/, '')}`,
      'Name PEM files that belong together, the key without a password: openssl pkey -in KEY -out PLAIN takes one off.',
    );
  }
}
