#!/usr/bin/env bash
# Makes the test guest, a kernel and an initramfs of a few MB, once for each state of its source, and
# prints the folder that holds vmlinuz and initrd.gz.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source-path=SCRIPTDIR source=../setup/lib.sh
. "$here/../setup/lib.sh"

# In the order in which they need each other. What the kernel has built in is skipped.
modules="virtio virtio_ring virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover
  virtio_net virtio_blk virtio_console pvpanic pvpanic-pci button evdev"

# Debian 12's kernel: under TCG it is up two seconds sooner than Debian 13's.
kernel_release=bookworm
debian_suites="$debian_suites $kernel_release"

unpack() {
  local kernel=$belay_staging/kernel root=$belay_staging/tools
  mkdir "$kernel" "$root"
  debian_closure "$root" "$debian_release" busybox-static e2fsprogs
  # The kernel without what it would need to be installed (initramfs tools), hence no closure.
  cd "$kernel"
  private_apt download "$(kernel_package)"
  dpkg-deb -x ./*.deb .
}

# linux-image-cloud-amd64 only depends on the package of the moment.
kernel_package() {
  private_apt install --simulate -t "$kernel_release" linux-image-cloud-amd64 | awk '$1 == "Inst" && $2 ~ /^linux-image-[0-9]/ {print $2; exit}'
}

add_modules() { # <root of the initramfs>
  local module file folder=$1/modules
  mkdir "$folder"
  : >"$folder/order"
  for module in $modules; do
    file=$(find "$belay_staging/kernel" -name "$module.ko*" | head -n 1)
    case $file in
      '') continue ;;
      *.xz) xz -dc "$file" >"$folder/$module.ko" ;;
      *.zst) zstd -qdc "$file" >"$folder/$module.ko" ;;
      *) cp "$file" "$folder/$module.ko" ;;
    esac
    echo "$module" >>"$folder/order"
  done
}

add_busybox() { # <root of the initramfs>
  local applet busybox=$belay_staging/tools/usr/bin/busybox
  cp "$busybox" "$1/bin/"
  "$busybox" --list | grep -vx busybox | while read -r applet; do ln -s busybox "$1/bin/$applet"; done
}

# mke2fs with the libraries that it names, libc among them.
add_mke2fs() { # <root of the initramfs>
  local tools=$belay_staging/tools library libraries=usr/lib/x86_64-linux-gnu
  mkdir -p "$1/lib64" "$1/$libraries"
  ln -s "$libraries" "$1/lib"
  cp "$tools/usr/sbin/mke2fs" "$1/sbin/"
  cp "$tools/$libraries/ld-linux-x86-64.so.2" "$1/lib64/"
  "$tools/$libraries/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$tools/$libraries" --list "$tools/usr/sbin/mke2fs" |
    awk '$3 ~ /^\// {print $3}' | while read -r library; do cp -L "$library" "$1/$libraries/"; done
}

assemble() {
  local root=$belay_staging/root
  mkdir -p "$root"/{bin,sbin,dev,proc,sys,tmp,data}
  add_busybox "$root"
  gcc -std=gnu17 -Os -Wall -Wextra -Werror -static -s -o "$root/bin/guestd" "$here/guestd.c"
  install -m 755 "$here/init" "$root/init"
  add_modules "$root"
  add_mke2fs "$root"
  mkdir "$belay_staging/guest"
  cp "$belay_staging"/kernel/boot/vmlinuz-* "$belay_staging/guest/vmlinuz"
  chmod 755 "$belay_staging/guest"
  # The same bytes from the same parts: names in order, no times, no owners.
  find "$root" -exec touch -h -d @0 {} +
  (cd "$root" && find . -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc -R 0:0 --reproducible --quiet) |
    gzip -9n >"$belay_staging/guest/initrd.gz"
}

make_guest() {
  unpack
  assemble
}

main() {
  local key place
  key=$(cat "$here/build.sh" "$here/init" "$here/guestd.c" | sha256sum | cut -c 1-12)
  place=$belay_cache/guest-$key
  if [ ! -e "$place/initrd.gz" ]; then
    "$here/../setup/packages.sh"
    lock debian
    if [ ! -e "$place/initrd.gz" ]; then
      staging
      quietly "building the test guest" "$belay_cache/guest.log" make_guest
      publish "$belay_staging/guest" "$place"
    fi
  fi
  printf '%s\n' "$place"
}

main
