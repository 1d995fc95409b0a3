import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import type { Address } from '../address.ts';
import { speaksTls } from './tls-probe.ts';
import { makeCertificate, whyNoCertificate } from './tls-testing.ts';

let server: Server | null = null;

afterEach(() => {
  server?.close();
  server = null;
});

async function addressOf(listener: Server): Promise<Address> {
  server = listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return { host: '127.0.0.1', port: (listener.address() as AddressInfo).port };
}

describe.skipIf(whyNoCertificate !== null)(
  `speaksTls${whyNoCertificate === null ? '' : ` (${whyNoCertificate})`}`,
  () => {
    it.each([
      ['whatever its certificate', {}],
      ['even to who has no certificate, which it demands', { requestCert: true, rejectUnauthorized: true }],
      ['even another version', { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' } as const],
    ])('is true of a server that does, %s', async (_what, options) => {
      const folder = mkdtempSync(join(tmpdir(), 'distrilock-tls-'));
      const { key, certificate } = makeCertificate(folder);
      const tls = createTlsServer({ key: readFileSync(key), cert: readFileSync(certificate), ...options });
      rmSync(folder, { recursive: true });
      tls.on('tlsClientError', () => undefined);
      expect(await speaksTls(await addressOf(tls))).toBe(true);
    });
  },
);

describe('speaksTls', () => {
  it.each([
    ['answers in another protocol', '-ERR unknown command\r\n'],
    ['only hangs up', ''],
  ])('is false of a server that %s', async (_what, answer) => {
    const plain = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.end(answer));
    });
    expect(await speaksTls(await addressOf(plain))).toBe(false);
  });

  it('is false where nobody listens', async () => {
    const listener = createServer();
    const address = await addressOf(listener);
    listener.close();
    await once(listener, 'close');
    expect(await speaksTls(address)).toBe(false);
  });
});
