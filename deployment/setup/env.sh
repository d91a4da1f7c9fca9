# shellcheck shell=bash
# Sourced by the launcher: each need_… function makes sure that a part is there and exports where.
# A variable that is set already is believed.
#
#   need_jdk     JAVA_HOME
#   need_qemu    BELAY_QEMU, BELAY_QSD, BELAY_QEMU_IMG
#   need_leash   BELAY_LEASH
#   need_guest   BELAY_GUEST_KERNEL, BELAY_GUEST_INITRD

belay_deployment=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

need_packages() { "$belay_deployment/setup/packages.sh"; }

need_jdk() {
  JAVA_HOME=$("$belay_deployment/setup/jdk.sh") || exit
  export JAVA_HOME
}

need_qemu() {
  local folder
  if [ -z "${BELAY_QEMU:-}" ]; then
    BELAY_QEMU=$("$belay_deployment/setup/qemu.sh") || exit
  fi
  folder=$(dirname "$BELAY_QEMU")
  : "${BELAY_QSD:=$folder/qemu-storage-daemon}" "${BELAY_QEMU_IMG:=$folder/qemu-img}"
  export BELAY_QEMU BELAY_QSD BELAY_QEMU_IMG
}

need_leash() {
  if [ -z "${BELAY_LEASH:-}" ]; then
    BELAY_LEASH=$("$belay_deployment/leash/build.sh") || exit
  fi
  export BELAY_LEASH
}

need_guest() {
  local folder
  if [ -z "${BELAY_GUEST_KERNEL:-}" ] || [ -z "${BELAY_GUEST_INITRD:-}" ]; then
    folder=$("$belay_deployment/guest/build.sh") || exit
    BELAY_GUEST_KERNEL=$folder/vmlinuz
    BELAY_GUEST_INITRD=$folder/initrd.gz
  fi
  export BELAY_GUEST_KERNEL BELAY_GUEST_INITRD
}
