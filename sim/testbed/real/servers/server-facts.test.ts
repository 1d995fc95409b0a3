import { describe, expect, it } from 'vitest';
import { OldServerError, readServer, wantsPassword } from './server-facts.ts';
import { serverThat, serverWith } from './server-testing.ts';

describe('readServer', () => {
  it.each([
    ['Redis', ['redis_version:7.0.15', 'process_id:42'], '7.0.15'],
    // Valkey says which Redis it is like as well.
    [
      'Valkey 8',
      ['redis_version:7.2.4', 'server_name:valkey', 'valkey_version:8.1.0', 'process_id:42'],
      'valkey-8.1.0',
    ],
    ['the oldest Redis that can be watched', ['redis_version:6.2.0', 'process_id:42'], '6.2.0'],
    ['whoever tells it first', ['valkey_version:9.1.2', 'redis_version:7.2.4', 'process_id:42'], 'valkey-9.1.2'],
  ])('reads the version of %s', async (_who, info, version) => {
    expect(await readServer(await serverWith(...info))).toEqual({ version, wallMs: 1500, processId: 42 });
  });

  it('refuses a server that tells no version', async () => {
    await expect(readServer(await serverWith('process_id:42'))).rejects.toThrow('it tells no version');
  });

  it.each(['2.8.24', '5.0.14', '6.0.16', '6.1.240'])('refuses Redis %s, which cannot be watched', async (version) => {
    const refused = readServer(await serverWith(`redis_version:${version}`, 'process_id:42'));
    await expect(refused).rejects.toThrow(`it is Redis ${version}`);
    await expect(refused).rejects.toBeInstanceOf(OldServerError);
  });

  it('lets itself be told what else is wrong first', async () => {
    const address = await serverWith('redis_version:6.0.16', 'process_id:42');
    const refused = readServer(address, ({ processId }) => Promise.reject(new Error(`process ${processId}`)));
    await expect(refused).rejects.toThrow('process 42');
  });

  it('rejects with what a server answers that lets nobody in', async () => {
    const address = await serverThat(() => '-NOAUTH Authentication required.\r\n');
    const error = await readServer(address).catch((reason: unknown) => reason as Error);
    expect(error).toBeInstanceOf(Error);
    expect(wantsPassword(error as Error)).toBe(true);
  });
});
