import { connect } from 'node:tls';
import type { Address } from '../address.ts';

const ANSWER_WITHIN_MS = 2000;

/** Whether a server at the address speaks TLS, whatever certificates it has and wants. */
export async function speaksTls(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    // Who it is does not matter: nothing is told to it.
    const socket = connect({ ...address, rejectUnauthorized: false });
    const answer = (isTls: boolean): void => {
      socket.destroy();
      resolve(isTls);
    };
    socket.setTimeout(ANSWER_WITHIN_MS, () => {
      answer(false);
    });
    socket.once('secureConnect', () => {
      answer(true);
    });
    socket.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      // Only who speaks TLS says by an alert that it does not like the other's.
      answer(/ALERT/.test(code));
    });
    socket.once('close', () => {
      answer(false);
    });
  });
}
