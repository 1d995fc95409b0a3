import { afterEach, describe, expect, it, vi } from 'vitest';
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
});
