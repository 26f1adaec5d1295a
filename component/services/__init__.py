"""What happens: async orchestration of the core's decisions over small ports."""
