import { afterEach, describe, expect, it, vi } from 'vitest';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { faketimeImage, redisImage, toxiproxyImage } from './images.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('the images', () => {
  it.each([
    { setting: redisImage, variable: 'DISTRILOCK_REDIS_IMAGE', image: 'redis:7.4' },
    { setting: toxiproxyImage, variable: 'DISTRILOCK_TOXIPROXY_IMAGE', image: 'ghcr.io/shopify/toxiproxy:2.12.0' },
  ])('is $image unless $variable names another one', ({ setting, variable, image }) => {
    vi.stubEnv(variable, undefined);
    expect(setting()).toEqual({ variable, image });
    vi.stubEnv(variable, '');
    expect(setting()).toEqual({ variable, image });
    vi.stubEnv(variable, 'valkey/valkey:8.1');
    expect(setting()).toEqual({ variable, image: 'valkey/valkey:8.1' });
  });

  it('means the newest image where no version is named, and not all of them', () => {
    vi.stubEnv('DISTRILOCK_REDIS_IMAGE', 'valkey/valkey');
    expect(redisImage().image).toBe('valkey/valkey:latest');
  });

  it('has none with libfaketime unless one is named', () => {
    vi.stubEnv('DISTRILOCK_FAKETIME_IMAGE', '');
    expect(faketimeImage()).toBeNull();
    vi.stubEnv('DISTRILOCK_FAKETIME_IMAGE', 'mine:1');
    expect(faketimeImage()?.image).toBe('mine:1');
  });

  it.each(['Not A Name!', 'redis:', 'Redis:7.4', 'redis:7.4 ', '/redis', 'redis//x', '-redis', 'redis@sha256:12'])(
    'refuses %j, which is no name of an image',
    (name) => {
      for (const [variable, read] of [
        ['DISTRILOCK_REDIS_IMAGE', redisImage],
        ['DISTRILOCK_TOXIPROXY_IMAGE', toxiproxyImage],
        ['DISTRILOCK_FAKETIME_IMAGE', faketimeImage],
      ] as const) {
        vi.stubEnv(variable, name);
        expect(read).toThrow(TestbedUnavailableError);
        expect(read).toThrow(`${variable} names ${JSON.stringify(name)}, and no image can be called so`);
      }
    },
  );

  it.each(['localhost:1/nobody/redis:0', 'Registry.example/a__b/c-d.e:V1_x', '[::1]:5000/redis:1', 'a'.repeat(64)])(
    'takes %s',
    (name) => {
      vi.stubEnv('DISTRILOCK_REDIS_IMAGE', name);
      expect(redisImage().image).toBe(name);
    },
  );
});
