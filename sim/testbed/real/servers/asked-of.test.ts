import { expect, it } from 'vitest';
import { RunLostError } from '../../testbed-error.ts';
import { askedOf } from './asked-of.ts';

it('names the server that refuses what the run asks of it, and the remedy', async () => {
  const refusal = Object.assign(new Error('NOREPLICAS Not enough good replicas to write.'), { name: 'ReplyError' });
  const asked = askedOf('n2', () => Promise.reject(refusal));
  await expect(asked).rejects.toThrow(RunLostError);
  await expect(asked).rejects.toThrow(
    /^n2 refused what the run asked of it, with the error: NOREPLICAS .* \(the server lacks the replicas .*\)\. Put the server right, or name another one$/,
  );
});

it('lets other errors, and answers, pass', async () => {
  const broken = new Error('Connection is closed.');
  await expect(askedOf('n2', () => Promise.reject(broken))).rejects.toBe(broken);
  await expect(askedOf('n2', () => Promise.resolve(4))).resolves.toBe(4);
});
