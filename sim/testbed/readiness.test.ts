import { expect, it } from 'vitest';
import { availabilityOf, lookFor, obstacleOf, type PartMissing } from './readiness.ts';
import { TestbedUnavailableError } from './testbed-error.ts';

function missing(name: string, blocks: PartMissing['blocks'], remedy = `install ${name}`): PartMissing {
  return { name, problem: `there is no ${name}`, remedy, blocks };
}

it.each([
  [[], true],
  [[missing('a', 'some'), missing('b', 'unless-pulled')], true],
  [[missing('a', 'some'), missing('b', 'all')], false],
])('%j can run: %s', (parts, canRun) => {
  expect(availabilityOf(parts).canRun).toBe(canRun);
  expect(obstacleOf(availabilityOf(parts)) === null).toBe(canRun);
});

it('names every obstacle, and each remedy once', () => {
  const parts = [missing('a', 'all', 'apt'), missing('b', 'all', 'apt'), missing('c', 'some')];
  expect(obstacleOf(availabilityOf(parts))).toEqual({ problem: 'there is no a; there is no b', remedy: 'apt' });
});

it('takes only a TestbedUnavailableError for something that is missing', async () => {
  const error = new TestbedUnavailableError('there is no a', 'install a');
  expect(await lookFor('a', 'all', () => Promise.reject(error))).toEqual(missing('a', 'all'));
  expect(await lookFor('a', 'all', () => Promise.resolve({ version: '1', place: null }))).toEqual({
    name: 'a',
    version: '1',
    place: null,
  });
  await expect(lookFor('a', 'all', () => Promise.reject(new Error('a defect')))).rejects.toThrow('a defect');
});
