import { describe, expect, it } from 'vitest'
import { parseMounts } from '../../../../src/adapters/metrics/linux/mounts.ts'

const mountsOf = (...lines: string[]) => parseMounts(lines.join('\n')).map(({ mount }) => mount)

describe('/proc/self/mountinfo', () => {
  it('keeps filesystems that can fill up, with their device and type', () => {
    expect(parseMounts('27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n')).toEqual([
      { mount: '/', device: '/dev/vda', type: 'ext4', isRemote: false },
    ])
  })

  it('leaves out the views of the kernel, images, autofs and what belongs to containers', () => {
    expect(
      mountsOf(
        '22 27 0:21 / /proc rw - proc proc rw',
        '23 27 0:22 / /sys rw - sysfs sysfs rw',
        '32 31 0:29 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw',
        '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755',
        '40 27 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro',
        '41 27 0:40 / /net rw - autofs systemd-1 rw',
        '42 27 0:41 / /var/lib/docker/overlay2/abc/merged rw - overlay overlay rw',
        '43 27 0:42 / /run/credentials/x ro - tmpfs none rw',
        '44 27 0:43 / /ro-tmp ro - tmpfs none ro,size=4k',
      ),
    ).toEqual([])
  })

  it('keeps writable tmpfs and the overlay that a container stands on', () => {
    expect(
      mountsOf(
        '1 0 0:50 / / rw - overlay overlay rw',
        '25 24 0:23 / /dev/shm rw - tmpfs tmpfs rw',
        '26 24 0:24 / /tmp rw - tmpfs tmpfs rw',
      ),
    ).toEqual(['/', '/tmp', '/dev/shm'])
  })

  it('counts a device once, under its shortest path, however often it is bound elsewhere', () => {
    expect(
      mountsOf('30 27 8:1 /a /srv/bound rw - ext4 /dev/sda1 rw', '31 27 8:1 / /srv rw - ext4 /dev/sda1 rw'),
    ).toEqual(['/srv'])
  })

  it('sees only the top one of mounts over each other', () => {
    const covered = '30 27 8:1 / /mnt rw - ext4 /dev/sda1 rw'
    expect(mountsOf(covered, '31 30 0:21 / /mnt rw - proc proc rw')).toEqual([])
  })

  it('reads blanks in names, optional fields, and knows what can hang', () => {
    const line = '36 35 0:77 / /mnt/my\\040data rw,noatime master:1 shared:2 - nfs4 server:/my\\040export rw'
    expect(parseMounts(line)).toEqual([
      { mount: '/mnt/my data', device: 'server:/my export', type: 'nfs4', isRemote: true },
    ])
  })

  it('skips lines of another form', () => {
    expect(mountsOf('', 'x', '1 2 3', ' - ext4', '1 0 8:1 / / rw - ')).toEqual([])
  })

  it('leaves out filesystems that nobody can write to: images, discs, AppImage mounts', () => {
    expect(
      mountsOf(
        '60 43 0:50 / /tmp/.mount_App1 ro,nosuid,nodev,relatime - fuse.App.AppImage App.AppImage ro,user_id=1000',
        '61 43 0:51 / /tmp/.mount_x ro,nosuid,nodev - fuse.squashfuse squashfuse ro,user_id=1000',
        '62 43 7:9 / /mnt/dvd ro,relatime - udf /dev/loop9 ro',
        '63 43 7:10 / /mnt/image ro,relatime - ext4 /dev/loop10 ro',
        '64 43 0:62 / /media/image ro - fuse.dwarfs dwarfs ro',
        '66 43 0:63 / / ro,relatime - overlay overlay ro',
      ),
    ).toEqual([])
  })

  it('keeps a read-only mount of a filesystem that is writable elsewhere: it still fills up', () => {
    expect(mountsOf('65 43 259:3 / /nix/store ro,relatime - ext4 /dev/nvme0n1p3 rw')).toEqual(['/nix/store'])
  })
})
