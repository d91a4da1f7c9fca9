package dev.belay.model;

/**
 * Direct boot of a Linux kernel; absolute paths on the server. Without it a VM boots from its first
 * disk.
 */
public record KernelBoot(String kernel, String initrd, String commandLine) {}
