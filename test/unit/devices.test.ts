import { expect, it } from 'vitest';
import { devicesOf } from '#dist/pipeline/devices.js';
import { optionsFrom } from '#dist/pipeline/options/resolve.js';

const inputs = { image: 'a.png', video: 'b.mp4' };

it('GPUs are named as people do, in order, none of them twice', () => {
  const gpus = (value: string | number | number[]) => optionsFrom({ ...inputs, gpus: value }).gpus;
  expect([gpus('1,0'), gpus('2'), gpus(3), gpus([0, 4])]).toEqual([[1, 0], [2], [3], [0, 4]]);
  for (const wrong of ['', '0,0', '0,', 'a', '0 1', '256', -1, [1, 1], []])
    expect(() => gpus(wrong), JSON.stringify(wrong)).toThrow(/gpus/);
});

it('without names it is the one of --device-id, and on a CPU none can be named', () => {
  const given = { gpus: null, deviceId: 3 };
  expect([devicesOf(given, 'cuda'), devicesOf(given, 'cpu')]).toEqual([[3], [3]]);
  expect(devicesOf({ gpus: [0, 1], deviceId: 3 }, 'cuda')).toEqual([0, 1]);
  expect(() => devicesOf({ gpus: [0, 1], deviceId: 3 }, 'cpu')).toThrow(
    expect.objectContaining({ code: 'device.gpus', kind: 'usage' }),
  );
});
